/**
 * /sdp: everything but the explanations of the lines.
 * @module
 */

export default {
  title: 'Read an SDP',
  lead: 'Paste a session description to see what each line says, what is wrong, and what comes of it. It stays in your browser.',
  input: 'What is to be read',
  first: 'Description',
  second: 'The other side’s description',
  placeholder: 'v=0 …   or JSON: {"type": "offer", "sdp": "v=0\\r\\n…"}   or drop a file',
  otherPlaceholder: 'The answer to it, or its offer',
  addOther: 'Compare with the other side’s description',
  openFile: 'Open a file',
  ownOffer: 'This browser’s offer',
  clear: 'Clear',
  faults: {
    tooLong: 'That is too long for an SDP: up to 600,000 characters are read.',
    badJson: 'That begins like JSON, but it isn’t valid JSON. Was all of it copied?',
    noSdp: 'No SDP was found in it. An SDP begins with “v=0” and has lines like “m=audio 9 …”.',
    unreadable: 'The file could not be read.',
  },
  calls: 'Calls open in this browser',
  noCalls: 'No call is open in another tab.',
  /** @param {number} count */
  callsFound: (count) => (count === 1 ? 'One connection is open in another tab.' : `${count} connections are open in other tabs.`),
  ask: 'Look again',
  /** @param {string} name */
  callWith: (name) => `Call with ${name}`,
  nameless: 'somebody',
  result: 'What was read',
  views: 'Ways to look at it',
  explained: 'Line by line',
  edit: 'Change',
  compare: 'Compare',
  which: 'Which description',
  types: { offer: 'Offer', answer: 'Answer', pranswer: 'Provisional answer', rollback: 'Rollback' },
  description: 'Description',
  /**
   * @param {string} type @param {string|null} by @param {number} lines @param {number} sections @param {number} candidates @param {number} bad
   */
  summary: (type, by, lines, sections, candidates, bad) =>
    `${type}${by ? ` by ${by}` : ''}: ${lines} lines, ${sections} media ${sections === 1 ? 'section' : 'sections'}, ${candidates} ${candidates === 1 ? 'candidate' : 'candidates'}, ${bad === 0 ? 'no problems' : bad === 1 ? '1 problem' : `${bad} problems`}.`,
  noProblems: 'Nothing is wrong with it.',
  note: 'Good to know: ',
  /** @param {number} number */
  line: (number) => `Line ${number}`,
  session: 'Session',
  sessionHint: 'holds for all sections',
  /** @param {string} kind @param {string|null} mid */
  sectionTitle: (kind, mid) => (mid === null ? kind : `${kind} · mid ${mid}`),
  kinds: { audio: 'Audio', video: 'Video', application: 'Data' },
  directions: { sendrecv: 'sends and receives', sendonly: 'only sends', recvonly: 'only receives', inactive: 'neither sends nor receives' },
  refused: 'refused or ended',
  dataChannels: 'data channels',
  /** @param {number} count */
  moreLines: (count) => `${count} more lines are not shown.`,
  /** @param {number} count */
  moreSections: (count) => `${count} more media sections are not shown.`,
  problems: {
    tooLong: 'Too long: what lies beyond 600,000 characters or 12,000 lines is not read.',
    emptyLine: 'An empty line. Strict readers end here.',
    space: 'No blanks may stand before or around “=”.',
    noLine: 'This is no SDP line: a line is one letter, “=” and a value.',
    /** @param {string} type */
    unknownType: (type) => `There are no lines of type “${type}=”.`,
    badMedia: 'An m-line needs a kind, a port, a protocol and at least one format.',
    mixedLineEnds: 'Line ends are mixed: CRLF in one place, LF alone in another. Something on the way has edited the text.',
    lineFeeds: 'Lines end with LF instead of CRLF. Browsers take it, strict readers don’t.',
    noVersion: 'The first line must be “v=0”.',
    /** @param {string} type */
    missingType: (type) => `The line “${type}=” is missing.`,
    noMedia: 'There is no media section: nothing can be sent.',
    /** @param {string} kind */
    rejected: (kind) => `Port 0: this ${kind} section is refused or has ended.`,
    noMid: 'No “a=mid”: without it the section cannot be bundled, and browsers refuse or invent one.',
    noFingerprint: 'No “a=fingerprint”: without it DTLS cannot be checked, and browsers refuse.',
    noUfrag: 'No “a=ice-ufrag”: ICE cannot work.',
    noPassword: 'No “a=ice-pwd”: ICE cannot work.',
    noSetup: 'No “a=setup”: who begins DTLS is not said.',
    badUfrag: 'The ice-ufrag must have at least 4 letters, digits, “+” or “/”.',
    badPassword: 'The ice-pwd must have at least 22 letters, digits, “+” or “/”.',
    badCandidate: 'This candidate cannot be read.',
    noCandidates: 'No candidates here: they come separately (trickle ICE), or none was found.',
    actpassAnswer: 'An answer must choose: “active” or “passive”, not “actpass”.',
    /** @param {string} role */
    offerRole: (role) => `An offer should say “actpass”; this one insists on “${role}”.`,
    /** @param {string} payload */
    doublePayload: (payload) => `Payload type ${payload} stands twice in the m-line.`,
    /** @param {string} payload */
    noMap: (payload) => `Payload type ${payload} has no “a=rtpmap” and is none of the fixed ones: nobody knows what it is.`,
    /** @param {string} name @param {string} payload @param {string} missing */
    lonePartner: (name, payload, missing) => `${name} (${payload}) belongs to payload type ${missing}, which the m-line does not have.`,
    /** @param {string} payload @param {string} name */
    strayPayload: (payload, name) => `“a=${name}” is about payload type ${payload}, which the m-line does not have.`,
    noCodec: 'No codec that carries media: only helpers are left.',
    noMux: 'No “a=rtcp-mux”: browsers insist on it by default.',
    /** @param {string} names */
    manyDirections: (names) => `Several directions in one section: ${names}.`,
    sdes: 'Keys stand in the open (SDES). Browsers refuse this; whoever sees the SDP could listen in.',
    /** @param {string} id */
    doubleExtension: (id) => `Header extension ${id} is defined twice.`,
    /** @param {string} mid */
    bundleUnknown: (mid) => `The group names “${mid}”, which no section has as its mid.`,
    /** @param {string} mid */
    doubleMid: (mid) => `Two sections have the mid “${mid}”.`,
  },
  direction: 'Direction',
  /** @param {string} payloads */
  forPayload: (payloads) => `for ${payloads}`,
  lastCodec: 'A media section needs at least one codec that carries media.',
  nothingToEdit: 'There is no media section whose codecs or direction could be changed.',
  editHint: 'Untick codecs to leave them out; retransmission and redundancy go along. To use the result, give it to setLocalDescription or setRemoteDescription. Where you can, prefer setCodecPreferences and transceiver.direction.',
  copySdp: 'Copy SDP',
  copyJson: 'Copy as JSON',
  copy: { done: 'Copied', failed: 'Could not copy' },
  changed: 'The result, with what is different marked',
  /** @param {number} lines */
  unfold: (lines) => `${lines} lines as before`,
  diff: { removed: 'removed:', added: 'added:' },
  /** @param {number} removed @param {number} added */
  changes: (removed, added) => (removed + added === 0 ? 'Nothing is changed yet.' : `${removed} lines out, ${added} in.`),
  compareHint: 'Add the other side’s description above to see what the two have agreed on.',
  fits: 'Offer and answer fit together.',
  /** @param {number} number */
  inSection: (number) => `Section ${number}:`,
  mismatches: {
    /** @param {string} offered @param {string} answered */
    count: (offered, answered) => `The offer has ${offered} media sections, the answer ${answered}. An answer must have as many, in the same order.`,
    /** @param {string} offered @param {string} answered */
    kind: (offered, answered) => `${offered} was offered, ${answered} is answered.`,
    /** @param {string} offered @param {string} answered */
    mid: (offered, answered) => `The mids differ: “${offered}” and “${answered}”.`,
    revived: () => 'The section was refused in the offer and is used in the answer.',
    /** @param {string} offered @param {string} answered */
    setup: (offered, answered) => `DTLS roles don’t fit: “${offered}” and “${answered}”.`,
    /** @param {string} offered @param {string} answered */
    direction: (offered, answered) => `Directions don’t fit: “${offered}” was offered, “${answered}” answered.`,
    /** @param {string} payload @param {string} offered @param {string} answered */
    payload: (payload, offered, answered) => `Payload type ${payload} is ${offered} in the offer and ${answered} in the answer.`,
    /** @param {string} name */
    notOffered: (name) => `${name} is answered but was not offered.`,
  },
  agreed: { flow: 'Media', codecs: 'Codecs', dropped: 'Not taken', extensions: 'Header extensions', dtls: 'DTLS', transport: 'Transport', messages: 'Largest message' },
  flows: { both: 'both ways', offerer: 'from the offering side to the answering side', answerer: 'from the answering side to the offering side', nobody: 'none in either direction' },
  nothingInCommon: 'none in common',
  /** @param {number} count */
  extensions: (count) => `${count} in common`,
  dtls: { offerer: 'the offering side begins', answerer: 'the answering side begins' },
  shared: 'shared (bundle)',
  ownTransport: 'its own',
  unknown: 'not said',
  /** @param {string} offerer @param {string} answerer */
  sizes: (offerer, answerer) => `offering side takes ${offerer} bytes, answering side ${answerer}`,
  unanswered: 'was not answered.',
};
