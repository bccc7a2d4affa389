-- A cursor names the very record it stands on, so that a cluster that lost its records is told from one that has them.
set local role dvt_owner;
set local search_path = dvt;

-- Null: nothing was acknowledged since publishing began at the position.
alter table relay_cursor add column record_offset bigint;
reset role;
reset search_path;
