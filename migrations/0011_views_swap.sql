-- A rebuild puts its views in the place of the old ones while others read them. It locked one after the other as it
-- dropped them, and met readers that held one and wanted another: in a deadlock, either might lose. Now it has all locks
-- before it drops anything, and gives them back where one is not to be had soon.
set local role dvt_projector;
set local search_path = views;

create or replace function finish_rebuild() returns void
    language plpgsql volatile
    set search_path = pg_catalog, pg_temp
as $$
declare
    c_wait constant text := '100ms'; -- others wait behind us for as long, and it is no deadlock yet
    c_pause constant double precision := 0.01;
    c_patience constant interval := '60 seconds';
    v_since constant timestamptz := clock_timestamp();
    v_timeout constant text := current_setting('lock_timeout');
    v_views text;
    v_view text;
begin
    select string_agg(format('views.%I', t.tablename), ', ' order by t.tablename)
    into strict v_views
    from pg_tables t
    where t.schemaname = 'views_next';
    perform set_config('lock_timeout', c_wait, true);
    loop
        begin
            execute format('lock table %s in access exclusive mode', v_views);
            exit;
        exception when lock_not_available then
            if clock_timestamp() > v_since + c_patience then
                raise;
            end if;
            perform pg_sleep(c_pause);
        end;
    end loop;
    perform set_config('lock_timeout', v_timeout, true);
    for v_view in select t.tablename::text from pg_tables t where t.schemaname = 'views_next' loop
        execute format('drop table views.%I', v_view);
        execute format('alter table views_next.%I set schema views', v_view);
    end loop;
end
$$;

reset role;
reset search_path;
