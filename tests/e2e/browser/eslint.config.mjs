// What finds mistakes; how the code looks is nobody's business here. Types are checked by tsc.
import js from '@eslint/js';
import globals from 'globals';

const mistakes = {
  ...js.configs.recommended.rules,
  'array-callback-return': 'error',
  'consistent-return': 'off',
  eqeqeq: 'error',
  'no-constructor-return': 'error',
  'no-eval': 'error',
  'no-implied-eval': 'error',
  'no-new-func': 'error',
  'no-promise-executor-return': 'off',
  'no-self-compare': 'error',
  'no-template-curly-in-string': 'error',
  'no-throw-literal': 'error',
  'no-unreachable-loop': 'error',
  'no-var': 'error',
  'prefer-const': 'error',
  'no-unused-vars': ['error', { args: 'after-used', argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' }],
};

/** Ways to turn text into markup or code. */
const injection = ['innerHTML', 'outerHTML', 'srcdoc', 'insertAdjacentHTML', 'createContextualFragment', 'setHTMLUnsafe'].map((property) => ({ property }));

export default [
  { ignores: ['**/node_modules/**', '**/vendor/**'] },
  {
    files: ['crates/talkie-server/web/app/**/*.js'],
    languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals: globals.browser },
    rules: {
      ...mistakes,
      'no-console': ['error', { allow: ['debug', 'info', 'warn', 'error'] }],
      'no-restricted-properties': ['error', ...injection, { object: 'document', property: 'write' }],
    },
  },
  {
    files: ['crates/talkie-server/web/sw.js', 'crates/talkie-server/web/sw/**/*.js'],
    languageOptions: { ecmaVersion: 2024, sourceType: 'script', globals: globals.serviceworker },
    rules: { ...mistakes, 'no-console': ['error', { allow: ['debug', 'info', 'warn', 'error'] }] },
  },
  {
    files: ['tests/e2e/browser/**/*.mjs', 'bench/**/*.mjs'],
    languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals: { ...globals.node, ...globals.browser } },
    rules: mistakes,
  },
];
