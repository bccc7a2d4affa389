{% if var('wants_extra') and var('from_flags') == 'flag' %}
select * from {{ ref('is_there') }}
{% else %}
select 2 as id
{% endif %}
