select count(*) from {{ ref('middle') }}
