select id from {{ ref("first") }} union all select null
