select 1 as id, 'a' as name, date '2025-01-01' as day
