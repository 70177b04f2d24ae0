/**
 * Runs before the rest has arrived: asks at once for what the address and the language will need, which
 * the browser would else find only when the first modules run.
 * @module
 */
void import('./strings.js');
if (location.pathname.startsWith('/r/')) void import('./visit.js');
