{{ config(materialized="ephemeral") }} select * from {{ ref("first") }} where id < 3
