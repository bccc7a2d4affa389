select * from {{ source('plain', 'one') }}
union all select * from {{ source('plain', 'two') }}
union all select * from {{ source('detailed', 'a') }}
union all select * from {{ source('detailed', 'b') }}
union all select * from {{ source('jinja', 'events') }}
