{{ config(tags=['c', 'a'], meta={'c': {'e': 2}}) }}
select 1 as id
