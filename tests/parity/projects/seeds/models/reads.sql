select * from {{ ref('plain') }} join {{ ref('typed') }} using (id)
