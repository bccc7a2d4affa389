select * from {{ ref('upper') }}
