import { Link, Outlet, useMatchRoute } from '@tanstack/react-router';

import { Account } from './account';
import styles from './shell.module.css';
import { Strip } from './strip';

/** Is the header of the pages that belong to no project. */
function PlainHeader() {
  return (
    <header className={styles.header}>
      <Link to="/" className={styles.logo} aria-label="DVT+, all projects">
        D
      </Link>
      <span className={styles.crumb}>Projects</span>
      <span className={styles.gap} />
      <Account />
    </header>
  );
}

/** Is what every page stands in. A project's pages bring a header of their own. */
export function Root() {
  // Whatever the address says beside its path: while that changes, the page stays.
  const inProject = useMatchRoute()({ to: '/projects/$project', fuzzy: true, includeSearch: false }) !== false;
  return (
    <>
      {inProject ? (
        <Outlet />
      ) : (
        <div className={styles.root}>
          <PlainHeader />
          <main style={{ minHeight: 0 }}>
            <Outlet />
          </main>
        </div>
      )}
      <Strip />
    </>
  );
}
