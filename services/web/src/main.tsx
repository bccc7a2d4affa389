import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import './app/tokens.css';
import './app/base.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { Providers } from './app/providers';
import { watchTheme } from './lib/theme';

watchTheme();

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no root');
createRoot(root).render(
  <StrictMode>
    <Providers />
  </StrictMode>,
);
