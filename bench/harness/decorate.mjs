/** Decorates a method of a class: JavaScript has no syntax for it. */
export function decorate({ prototype }, method, decorator) {
  decorator(prototype, method, Object.getOwnPropertyDescriptor(prototype, method));
}
