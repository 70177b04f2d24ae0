/**
 * Whether ICE that has failed is the end of a connection. In Firefox it is (seen in ESR 153): an ICE
 * restart brings such a connection back to `connected` and its sent packets are counted, but nothing
 * arrives at either side any more, neither media nor data. No API tells; hence the browser's name.
 * @module
 */

export const failureIsFinal = () => /\bFirefox\//.test(navigator.userAgent);
