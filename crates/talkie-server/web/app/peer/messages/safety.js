/**
 * How two peers arrive at a safety number (trust/safety.js): the impolite side's commitment, the polite
 * side's value, the impolite side's value. 32 bytes each, in base64url.
 * @module
 */
import { fromBase64url } from '../../trust/bytes.js';

/** @typedef {'safety-commit'|'safety-value'|'safety-reveal'} SafetyStep */
/** @typedef {{type: SafetyStep, value: string}} SafetyMessage */

/** @param {SafetyStep} type @returns {(raw: any) => SafetyMessage|null} */
const step = (type) => (raw) => (fromBase64url(raw.value)?.length === 32 ? { type, value: raw.value } : null);

export const safetyMessages = {
  'safety-commit': step('safety-commit'),
  'safety-value': step('safety-value'),
  'safety-reveal': step('safety-reveal'),
};
