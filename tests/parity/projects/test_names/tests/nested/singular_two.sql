select * from {{ source('src', 'tab') }} where id is null
