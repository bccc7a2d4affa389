select * from {{ ref('tool') }}
