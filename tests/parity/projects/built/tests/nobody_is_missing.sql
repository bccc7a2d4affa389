select * from {{ ref("seen") }} where id is null
