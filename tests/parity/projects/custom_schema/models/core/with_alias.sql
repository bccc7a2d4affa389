{{ config(schema=' padded ', alias='other') }}
select * from {{ ref('with_schema') }}
