select * from {{ ref('live') }}
