select 1 as id, 'a' as name, true as is_new
