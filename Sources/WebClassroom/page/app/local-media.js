// @ts-check

import { TypedEvents } from '../sdk/events.js';
import { explainDevice } from './sentences.js';

/**
 * @typedef {'microphone' | 'camera' | 'screen'} Device
 * @typedef {object} MediaEvents
 * @property {null} change
 * @property {{device: Device, sentence: string}} problem
 */

/**
 * This person's microphone, camera and screen. All are off until asked for, and none is needed.
 * Camera and screen that are off are stopped, so that the device's light goes out; the microphone
 * is muted, so that it is back at once.
 *
 * @extends {TypedEvents<MediaEvents>}
 */
export class LocalMedia extends TypedEvents {
  /** @type {MediaStreamTrack | null} */
  microphone = null;
  /** @type {MediaStreamTrack | null} */
  camera = null;
  /** @type {MediaStreamTrack | null} */
  screen = null;
  /** @type {Set<Device>} what is being switched on */
  pending = new Set();

  /** @param {MediaTrackConstraints} video */
  constructor(video) {
    super();
    this.video = video;
  }

  get canShareScreen() {
    return typeof navigator.mediaDevices?.getDisplayMedia === 'function';
  }

  /** @param {Device} device */
  isOn(device) {
    const track = this[device];
    return track !== null && track.enabled;
  }

  /** What to tell the server. */
  get flags() {
    return { audio: this.isOn('microphone'), video: this.isOn('camera'), screen: this.isOn('screen') };
  }

  /** @param {Device} device */
  toggle(device) {
    return this.isOn(device) ? this.switchOff(device) : this.switchOn(device);
  }

  /** @param {Device} device */
  async switchOn(device) {
    if (this.pending.has(device) || this.isOn(device)) return;
    if (device === 'microphone' && this.microphone) {
      this.microphone.enabled = true;
      this.emit('change', null);
      return;
    }
    this.pending.add(device);
    this.emit('change', null);
    try {
      const track = await this.#open(device);
      track.onended = () => {
        if (this[device] === track) this.switchOff(device, true);
      };
      this[device] = track;
    } catch (error) {
      const dismissed = device === 'screen' && /** @type {DOMException} */ (error)?.name === 'NotAllowedError';
      if (!dismissed) this.emit('problem', { device, sentence: explainDevice(device, error) });
    } finally {
      this.pending.delete(device);
      this.emit('change', null);
    }
  }

  /**
   * @param {Device} device
   * @param {boolean} [gone] whether the device was taken away
   */
  switchOff(device, gone = false) {
    const track = this[device];
    if (!track) return;
    if (device === 'microphone' && !gone) {
      track.enabled = false;
    } else {
      track.stop();
      this[device] = null;
    }
    this.emit('change', null);
  }

  /** Lets go of all devices. */
  stop() {
    for (const device of /** @type {Device[]} */ (['microphone', 'camera', 'screen'])) this.switchOff(device, true);
  }

  /** @param {Device} device */
  async #open(device) {
    const devices = navigator.mediaDevices;
    if (!devices) throw new Error('insecure context');
    const stream =
      device === 'screen'
        ? await devices.getDisplayMedia({ video: { frameRate: { max: 15 } } })
        : await devices.getUserMedia(device === 'camera' ? { video: this.video } : { audio: { echoCancellation: true } });
    const [track] = stream.getTracks();
    if (device === 'screen' && 'contentHint' in track) track.contentHint = 'detail';
    return track;
  }
}
