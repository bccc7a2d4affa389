select * from {{ ref('middle') }} where middle_id is null
