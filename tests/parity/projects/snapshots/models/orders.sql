select 1 as id, 'new' as status, now() as updated_at
