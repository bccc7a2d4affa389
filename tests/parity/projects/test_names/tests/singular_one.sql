{{ config(severity='warn', tags=['solo']) }}
select * from {{ ref('small') }} where id is null
