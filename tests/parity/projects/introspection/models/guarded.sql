{% if execute %}{% set names = ['id'] %}{% else %}{% set names = [] %}{% endif %}
select {{ names | join(', ') }} from {{ ref('a') }}
