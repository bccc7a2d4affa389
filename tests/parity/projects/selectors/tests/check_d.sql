select * from {{ ref('d') }} where false
