{#- The meteorological season of a date, in the northern hemisphere. -#}
{% macro season(column) -%}
    case
        {%- for name, months in {'winter': [12, 1, 2], 'spring': [3, 4, 5], 'summer': [6, 7, 8]}.items() %}
        when extract(month from {{ column }}) in ({{ months | join(', ') }}) then '{{ name }}'
        {%- endfor %}
        else 'autumn'
    end
{%- endmacro %}
