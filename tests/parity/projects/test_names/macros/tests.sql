{% test takes_anything(model, column_name=none, a=none, b=none, c=none) %}
select 1 where false -- {{ model }} {{ column_name }} {{ a }} {{ b }} {{ c }}
{% endtest %}

{%- test between(model, column_name, low=0, high=none) -%}
{{ config(severity='warn', tags=['range']) }}
select * from {{ model }} where {{ column_name }} < {{ low }}{% if high is not none %} or {{ column_name }} > {{ high }}{% endif %}
{%- endtest -%}
