// Prevents: a question whose number leads to another issue, or one of Nest's users' that is left out.
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';

/** The issues of nestjs/nest, and pull requests, that the transport was written for. */
const ASKED = [
  7288, 9059, 7029, 7030, 3837, 14044, 1524, 773, 12023, 13920, 4076, 11416, 525, 882, 1567, 14268,
  8804, 11702, 13794, 13145, 16256, 1350, 2436, 3763, 8671,
];

describe('docs/faq.md', () => {
  it('answers each of them, and leads to what it names', async () => {
    const page = await readFile('docs/faq.md', 'utf8');
    const links = Array.from(page.matchAll(/\[#(\d+)\]\((.*?)\)/g), ([, number, address]) => ({
      number: Number(number),
      address,
    }));
    expect(links).toEqual(
      ASKED.map((number) => ({
        number,
        address: `https://github.com/nestjs/nest/issues/${number}`,
      })),
    );
  });

  it('asks no question without an answer', async () => {
    const page = await readFile('docs/faq.md', 'utf8');
    const questions = page.split(/^### /m).slice(1);
    expect(questions.length).toBeGreaterThan(20);
    for (const question of questions) {
      const [title, ...answer] = question.split('\n');
      expect([title, answer.join('').trim()]).toEqual([title, expect.stringMatching(/.{20}/)]);
    }
  });
});
