{% if execute %}
select 'executed' as how
{% else %}
select 'parsed' as how
{% endif %}
   {% set a, b = 1, 2 %}
union all select '{{ a }}{{ b }}'
