{{ config(materialized='table') }}

WITH x AS (SELECT * FROM {{ ref('middle') }}) SELECT * FROM x
