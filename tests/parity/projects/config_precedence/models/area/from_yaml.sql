select * from {{ ref('top') }}
