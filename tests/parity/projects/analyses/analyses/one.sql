{{ config(tags=['ad hoc'], alias='renamed') }}
select * from {{ ref('a') }} limit {{ 5 + 5 }}
