{{ config(materialized='view', tags=['first']) }}
{{ config(materialized='table', tags=['second']) }}
select '{{ config.get("materialized") }}' as materialized, '{{ config.get("nothing", "default") }}' as nothing
