// @ts-check

/**
 * An EventTarget whose events are known by name and payload.
 *
 * @template {Record<string, any>} Events what is emitted: name → detail
 */
export class TypedEvents extends EventTarget {
  /**
   * Listens, and returns the function that stops listening.
   *
   * @template {keyof Events & string} Name
   * @param {Name} name
   * @param {(detail: Events[Name]) => void} listener
   * @returns {() => void}
   */
  on(name, listener) {
    /** @param {Event} event */
    const handler = (event) => listener(/** @type {CustomEvent} */ (event).detail);
    this.addEventListener(name, handler);
    return () => this.removeEventListener(name, handler);
  }

  /**
   * @template {keyof Events & string} Name
   * @param {Name} name
   * @param {Events[Name]} detail
   */
  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
