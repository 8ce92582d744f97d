/**
 * For the site of the documentation: the decisions stand apart from the guides, and a page is called by
 * its heading. Its address remains that of its file, which links from elsewhere know.
 */
import { Converter, ReflectionKind, RendererEvent } from 'typedoc';

const HEADING = /^# (.+)$/m;

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, page) => {
    page.frontmatter['group'] = page.name.startsWith('adr/') ? 'Decisions' : 'Guides';
  });
  // Addresses are made of names, before this.
  app.renderer.on(RendererEvent.BEGIN, ({ project }) => {
    for (const page of project.getReflectionsByKind(ReflectionKind.Document)) {
      const heading = HEADING.exec(page.content.map(({ text }) => text).join(''));
      if (heading === null) throw new Error(`docs/${page.name}.md has no heading`);
      page.name = heading[1];
    }
  });
}
