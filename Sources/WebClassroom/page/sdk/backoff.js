// @ts-check

/**
 * Exponential back-off with full jitter: each delay is drawn evenly from zero to a ceiling that
 * doubles, so that a thousand clients that lost the same server do not come back in step.
 */
export class Backoff {
  #attempt = 0;

  /**
   * @param {{base?: number, ceiling?: number, random?: () => number}} options milliseconds
   */
  constructor({ base = 500, ceiling = 15_000, random = Math.random } = {}) {
    this.base = base;
    this.ceiling = ceiling;
    this.random = random;
  }

  /** How many delays were handed out since the last success. */
  get attempt() {
    return this.#attempt;
  }

  /** The next delay in milliseconds. */
  next() {
    const limit = Math.min(this.ceiling, this.base * 2 ** Math.min(this.#attempt, 16));
    this.#attempt += 1;
    return this.random() * limit;
  }

  /**
   * A delay the server asked for, stretched by up to as much again.
   *
   * @param {number} milliseconds
   */
  after(milliseconds) {
    this.#attempt += 1;
    return milliseconds * (1 + this.random());
  }

  /** Call it after a success. */
  reset() {
    this.#attempt = 0;
  }
}
