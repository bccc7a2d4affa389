{{ config(materialized='table') }}
-- depends_on: {{ ref('c') }}
select * from {{ ref('refs', 'b') }} where '{{ ref("a").identifier }}' <> '{{ this.name }}'
