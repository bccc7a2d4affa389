select * from {{ ref('customers') }}
union all select id, name, true from {{ ref('customers', v=1) }}
union all select * from {{ ref('versions', 'customers', version=2) }}
