{{ config(materialized='incremental', unique_key='id') }}
select
    id,
    {{ twice('name') }} as name,
    {{ var('factor', 2) }} * id as scaled,
    '{{ env_var("UNIT_REGION", "nowhere") }}' as region,
    '{{ config.get("materialized") }}' as built
from {{ ref('people') }}
{% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}
