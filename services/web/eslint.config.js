import js from '@eslint/js';
import a11y from 'eslint-plugin-jsx-a11y';
import hooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import ts from 'typescript-eslint';

/** What a part of the app may not import: features know nothing of each other, and nothing below knows the app. */
const forbidden = (...patterns) => ({
  'no-restricted-imports': ['error', { patterns: patterns.map(([group, message]) => ({ group, message })) }],
});
const noFeature = [['@/features/*', '../*/*'], 'features never import each other; the pages of src/app bring them together'];
const noApp = [['@/app/*'], 'only src/main.tsx imports the app'];
const noUp = [['@/app/*', '@/features/*', '@/api/*'], 'components and lib know nothing of the app'];

export default ts.config(
  { ignores: ['dist', 'src/api/schema.ts', 'public'] },
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  a11y.flatConfigs.recommended,
  hooks.configs.flat.recommended,
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] }, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      'max-lines': ['error', 400],
      // A dialog's first field is where whoever opened it wants to be.
      'jsx-a11y/no-autofocus': 'off',
    },
  },
  { files: ['src/features/**'], rules: forbidden(noFeature, noApp) },
  { files: ['src/components/**', 'src/lib/**'], rules: forbidden(noUp) },
  { files: ['src/api/**'], rules: forbidden(noApp, [['@/features/*', '@/components/*'], 'the API knows no page']) },
  { files: ['eslint.config.js'], ...ts.configs.disableTypeChecked },
);
