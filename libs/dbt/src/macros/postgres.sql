{# What Postgres says otherwise. #}

{% macro postgres__any_value(expression) -%}
{{ 'min(' ~ expression ~ ')' }}
{%- endmacro %}

{% macro postgres__dateadd(datepart, interval, from_date_or_timestamp) -%}
{{ '\n\n    ' ~ from_date_or_timestamp ~ ' + ((interval \'1 ' ~ datepart ~ '\') * (' ~ interval ~ '))\n\n' }}
{%- endmacro %}

{% macro postgres__current_timestamp() -%}
now()
{%- endmacro %}

{% macro postgres__equals(expr1, expr2) -%}
{{ '(' ~ expr1 ~ ' = ' ~ expr2 ~ ')' }}
{%- endmacro %}

{% macro postgres__snapshot_string_as_time(timestamp) -%}
{%- do return("'" ~ timestamp ~ "'::timestamp without time zone") -%}
{%- endmacro %}

{% macro postgres__snapshot_get_time() -%}
{{ current_timestamp() }}::timestamp without time zone
{%- endmacro %}

{% macro postgres__current_timestamp_backcompat() -%}
{{ '\n    current_timestamp::' ~ type_timestamp() ~ '\n' }}
{%- endmacro %}

{% macro postgres__current_timestamp_in_utc_backcompat() -%}
{{ '\n    (current_timestamp at time zone \'utc\')::' ~ type_timestamp() ~ '\n' }}
{%- endmacro %}

{% macro postgres__last_day(date, datepart) -%}
{%- if datepart == 'quarter' -%}
{%- set after = dbt.dateadd('month', '3', dbt.date_trunc(datepart, date)) -%}
{{ '-- postgres dateadd does not support quarter interval.\n    cast(\n        ' ~ dbt.dateadd('day', '-1', after) ~ '\n        as date)' }}
{%- else -%}
{{ dbt.default_last_day(date, datepart) }}
{%- endif -%}
{%- endmacro %}

{% macro postgres__split_part(string_text, delimiter_text, part_number) -%}
{%- set part = dbt.default__split_part if part_number >= 0 else dbt._split_part_negative -%}
{{ '\n\n  \n    ' ~ part(string_text, delimiter_text, part_number) ~ '\n  \n\n' }}
{%- endmacro %}

{% macro postgres__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
{%- set order = (order_by_clause if order_by_clause else '') -%}
{%- if limit_num -%}
{{ 'array_to_string(\n        (array_agg(\n            ' ~ measure ~ '\n            ' ~ order ~ '\n        ))[1:' ~ limit_num ~ '],\n        ' ~ delimiter_text ~ '\n        )' }}
{%- else -%}
{{ '\n    string_agg(\n        ' ~ measure ~ ',\n        ' ~ delimiter_text ~ '\n        ' ~ order ~ '\n        )' }}
{%- endif -%}
{%- endmacro %}

{# The difference in one unit is built on the difference in the next larger one. #}
{% macro postgres__datediff(first_date, second_date, datepart) -%}
{%- set larger = {'quarter': 'year', 'month': 'year', 'week': 'day', 'hour': 'day', 'minute': 'hour', 'second': 'minute', 'millisecond': 'minute', 'microsecond': 'minute'} -%}
{%- set factor = {'quarter': 4, 'month': 12, 'hour': 24, 'minute': 60, 'second': 60, 'millisecond': 60000, 'microsecond': 60000000} -%}
{%- set type = 'date' if datepart in ['year', 'quarter', 'month'] else 'timestamp' -%}
{%- set whole = 'floor(' if datepart in ['second', 'millisecond', 'microsecond'] else '' -%}
{%- set close = ')' if whole else '' -%}
{%- set last = whole ~ "date_part('" ~ datepart ~ "', (" ~ second_date ~ ')::' ~ type ~ ')' ~ close -%}
{%- set first = whole ~ "date_part('" ~ datepart ~ "', (" ~ first_date ~ ')::' ~ type ~ ')' ~ close -%}
{%- if datepart == 'year' -%}
{{ '\n        (' ~ last ~ ' - ' ~ first ~ ')\n    ' }}
{%- elif datepart == 'day' -%}
{{ '\n        ((' ~ second_date ~ ')::date - (' ~ first_date ~ ')::date)\n    ' }}
{%- elif datepart == 'week' -%}
{%- set dow = "date_part('dow', (" -%}
{%- set sign = '\n                case when ' ~ first_date ~ ' <= ' ~ second_date ~ ' then ' -%}
{{ '\n        (' ~ datediff(first_date, second_date, 'day') ~ ' / 7 + case\n            when ' ~ dow ~ first_date ~ ')::timestamp) <= ' ~ dow ~ second_date ~ ')::timestamp) then' }}
{{- sign ~ '0 else -1 end\n            else' ~ sign ~ '1 else 0 end\n        end)\n    ' }}
{%- elif datepart in larger -%}
{{ '\n        (' ~ datediff(first_date, second_date, larger[datepart]) ~ ' * ' ~ factor[datepart] ~ ' + ' ~ last ~ ' - ' ~ first ~ ')\n    ' }}
{%- else -%}
{%- do exceptions.raise_compiler_error('Unsupported datepart for macro datediff in postgres: ' ~ '{!r}'.format(datepart)) -%}
{%- endif -%}
{%- endmacro %}

{% macro postgres__information_schema_name(database) -%}
information_schema
{%- endmacro %}
