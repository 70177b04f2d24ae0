/**
 * Settings: devices, effects, shortcuts, language. Loaded with the dialog.
 * @module
 */

export default {
  title: 'Settings',
  tabs: { audio: 'Audio', video: 'Video', effects: 'Effects', sending: 'Sending', general: 'General' },
  stays: 'That device could not be used; the former one stays.',
  processing: 'What your browser does to your voice',
  echoCancellation: 'Echo cancellation',
  echoHint: 'Keeps the others from hearing themselves. Without it, wear headphones.',
  noiseSuppression: 'Noise suppression',
  noiseHint: 'Takes away fans and traffic. Switch it off for music.',
  autoGainControl: 'Automatic gain',
  gainHint: 'Evens out how loud you are.',
  preview: 'Your camera',
  previewOff: 'Your camera is off',
  showPreview: 'Show me, only here',
  backgroundBlur: 'Blur the background',
  blurHint: 'Done by your camera or your system.',
  effects: 'Effects on my microphone',
  effectsHint: 'Others hear you with them. Off: your microphone goes out as it is.',
  bass: 'Bass',
  presence: 'Presence',
  treble: 'Treble',
  gain: 'Volume',
  /** @param {number} db */
  decibels: (db) => `${db > 0 ? '+' : db < 0 ? '−' : ''}${Math.abs(db)} dB`,
  reset: 'Reset',
  curve: 'What the effects do, by pitch',
  /** @param {string} low @param {string} middle @param {string} high */
  curveWords: (low, middle, high) => `Frequency response: ${low} at 100 Hz, ${middle} at 3 kHz, ${high} at 10 kHz.`,
  curveOff: 'Effects are off: this is what they would do.',
  hertz: 'Hz',
  listen: 'Listen to yourself',
  /** @param {number} seconds */
  listenHint: (seconds) => `Records ${seconds} seconds and plays them to you; move the sliders while it plays. Nothing is sent or kept.`,
  listenNow: 'Speak now…',
  listenPlaying: 'This is you',
  listenStop: 'Stop',
  listenFailed: 'There is no microphone to listen to.',
  language: 'Language',
  shortcuts: 'Keyboard shortcuts',
  shortcutsHint: 'One key for what you do often; “?” in a call lists them. They never fire while you type.',
  joining: 'When I join',
  joinMuted: 'Join with the microphone muted',
  joinWithoutCamera: 'Join with the camera off',
};
