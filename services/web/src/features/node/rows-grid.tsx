import type { PreviewColumn, PreviewRows } from '@/api/schema';

import styles from './rows.module.css';

const NUMBERS = /^(int|float|numeric|decimal|double|real|smallint|bigint|money|number)/;

function isNumber({ type }: PreviewColumn): boolean {
  return NUMBERS.test(type.toLowerCase());
}

function Cell({ column, value }: { column: PreviewColumn | undefined; value: string | null }) {
  const number = (column && isNumber(column)) || undefined;
  if (value === null) {
    return (
      <td data-null data-number={number}>
        null
      </td>
    );
  }
  return (
    <td data-number={number} title={value.length > 40 ? value : undefined}>
      {value}
    </td>
  );
}

/** Shows rows with the types of their columns; null is marked as such, and `empty` says that there are none. */
export function RowsGrid({ columns, rows, empty }: Pick<PreviewRows, 'columns' | 'rows'> & { empty: string }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <div className={styles.grid} tabIndex={0} role="region" aria-label="Rows">
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" data-number={isNumber(column) || undefined}>
                {column.name} <span>{column.type}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.length === 0 && (
            <tr data-empty>
              <td colSpan={columns.length}>{empty}</td>
            </tr>
          )}
          {rows.map((row, at) => (
            <tr key={at}>
              {row.map((value, place) => (
                <Cell key={place} column={columns[place]} value={value} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
