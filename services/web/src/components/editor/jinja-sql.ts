import { StreamLanguage, type StreamParser, type StringStream } from '@codemirror/language';
import { tags } from '@lezer/highlight';

const KEYWORDS = new Set(
  `all and any array as asc between both by case cast collate create cross cube current_date current_timestamp delete
  desc distinct drop else end escape except exists extract false fetch filter first following for from full group
  grouping having if ilike in inner insert intersect interval into is join last lateral left like limit materialized
  merge natural not null nulls offset on only or order outer over partition preceding qualify range recursive
  replace returning right rollup row rows select set sets similar some table tablesample then to trailing true
  unbounded union unnest update using values view when where window with within`.split(/\s+/),
);
const TYPES = new Set(
  `bigint boolean bool bytea char date decimal double float int integer json jsonb numeric precision real serial
  smallint text time timestamp timestamptz uuid varchar`.split(/\s+/),
);
const JINJA_WORDS = new Set(
  `and block call do elif else endblock endcall endfilter endfor endif endmacro endset endsnapshot endtest filter for
  from if import in include is macro materialization not or raw endraw recursive return set snapshot test`.split(/\s+/),
);

type Inside = 'sql' | 'jinja' | 'jinja comment' | 'block comment';

interface State {
  inside: Inside;
  /** The quote of the string of SQL that is open; it may go over lines, and may hold Jinja. */
  sqlQuote: string | null;
  /** The quote of the string inside of Jinja that is open. */
  jinjaQuote: string | null;
}

/** Reads to the end of what is open, or of the line. */
function until(stream: StringStream, end: RegExp): boolean {
  while (!stream.eol()) {
    if (stream.match(end)) return true;
    stream.next();
  }
  return false;
}

function sqlString(stream: StringStream, state: State): string {
  while (!stream.eol() && !stream.match(/^\{[{%#]/, false)) {
    if (stream.next() === state.sqlQuote) {
      state.sqlQuote = null;
      break;
    }
  }
  return 'string';
}

function jinjaString(stream: StringStream, state: State): string {
  while (!stream.eol()) {
    const next = stream.next();
    if (next === '\\') stream.next();
    else if (next === state.jinjaQuote) {
      state.jinjaQuote = null;
      break;
    }
  }
  return 'string';
}

function word(text: string, inside: Inside): string | null {
  if (inside === 'jinja') return JINJA_WORDS.has(text) ? 'keyword' : 'jinja';
  const lower = text.toLowerCase();
  if (KEYWORDS.has(lower)) return 'keyword';
  return TYPES.has(lower) ? 'typeName' : null;
}

function quoted(stream: StringStream): string | null {
  const found = stream.match(/^['"]/);
  return Array.isArray(found) ? found[0] : null;
}

function jinja(stream: StringStream, state: State): string | null {
  if (state.jinjaQuote !== null) return jinjaString(stream, state);
  if (stream.eatSpace()) return null;
  if (stream.match(/^-?[%}]\}/)) {
    state.inside = 'sql';
    return 'jinja';
  }
  if (stream.match(/^\d+(\.\d+)?/)) return 'number';
  state.jinjaQuote = quoted(stream);
  if (state.jinjaQuote !== null) return jinjaString(stream, state);
  const found = stream.match(/^[\p{L}_][\p{L}\p{N}_]*/u);
  if (Array.isArray(found)) return word(found[0], 'jinja');
  stream.next();
  return 'jinja';
}

/** Goes into what begins here and is not SQL. */
function enter(stream: StringStream, state: State): string | null {
  if (stream.match('{#')) state.inside = 'jinja comment';
  else if (stream.match(/^\{[{%][-+]?/)) state.inside = 'jinja';
  else if (state.sqlQuote === null && stream.match('/*')) state.inside = 'block comment';
  else return null;
  return state.inside === 'jinja' ? 'jinja' : 'comment';
}

function sql(stream: StringStream, state: State): string | null {
  const entered = enter(stream, state);
  if (entered !== null) return entered;
  if (state.sqlQuote !== null) return sqlString(stream, state);
  if (stream.eatSpace()) return null;
  if (stream.match('--')) {
    // A Jinja expression in a comment is read by dbt all the same.
    while (!stream.eol() && !stream.match(/^\{[{%#]/, false)) stream.next();
    return 'comment';
  }
  if (stream.match(/^\d+(\.\d+)?/)) return 'number';
  state.sqlQuote = quoted(stream);
  if (state.sqlQuote !== null) return sqlString(stream, state);
  const found = stream.match(/^[\p{L}_][\p{L}\p{N}_$]*/u);
  if (Array.isArray(found)) return word(found[0], 'sql');
  stream.next();
  return null;
}

function token(stream: StringStream, state: State): string | null {
  switch (state.inside) {
    case 'jinja comment':
    case 'block comment':
      if (until(stream, state.inside === 'jinja comment' ? /^#\}/ : /^\*\//)) state.inside = 'sql';
      return 'comment';
    case 'jinja':
      return jinja(stream, state);
    case 'sql':
      return sql(stream, state);
  }
}

/** Reads SQL with Jinja in it, as dbt's files are. */
export const jinjaSqlParser: StreamParser<State> = {
  name: 'jinja-sql',
  startState: () => ({ inside: 'sql', sqlQuote: null, jinjaQuote: null }),
  copyState: (state) => ({ ...state }),
  token,
  tokenTable: { jinja: tags.special(tags.variableName) },
  languageData: { commentTokens: { line: '--', block: { open: '/*', close: '*/' } }, closeBrackets: { brackets: ['(', '[', '{', "'", '"'] } },
};

/** Is the language of models, macros, tests and snapshots. */
export const jinjaSql = StreamLanguage.define(jinjaSqlParser);
