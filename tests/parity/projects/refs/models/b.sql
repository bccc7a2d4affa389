select * from {{ ref('a') }} -- {{ ref("a") }}
