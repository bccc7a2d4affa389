{{ config(alias="seen_by_all") }} select s.*, {{ dbt.dateadd("day", 1, "date '2020-01-01'") }} as next from {{ ref("small") }} s
