{# Dates and times. #}

{% macro current_timestamp() -%}
{{ adapter.dispatch('current_timestamp', 'dbt')() }}
{%- endmacro %}

{% macro default__current_timestamp() -%}
{%- do exceptions.raise_not_implemented('current_timestamp macro not implemented for adapter ' ~ adapter.type()) -%}
{%- endmacro %}

{% macro date(year, month, day) -%}
{%- do return(adapter.dispatch('date', 'dbt')(year, month, day)) -%}
{%- endmacro %}

{% macro default__date(year, month, day) -%}
{{ "to_date('" ~ modules.datetime.date(year, month, day).strftime('%Y-%m-%d') ~ "', 'YYYY-MM-DD')" }}
{%- endmacro %}

{% macro date_trunc(datepart, date) -%}
{%- do return(adapter.dispatch('date_trunc', 'dbt')(datepart, date)) -%}
{%- endmacro %}

{% macro default__date_trunc(datepart, date) -%}
{{ "date_trunc('" ~ datepart ~ "', " ~ date ~ ')' }}
{%- endmacro %}

{% macro dateadd(datepart, interval, from_date_or_timestamp) -%}
{%- do return(adapter.dispatch('dateadd', 'dbt')(datepart, interval, from_date_or_timestamp)) -%}
{%- endmacro %}

{% macro default__dateadd(datepart, interval, from_date_or_timestamp) -%}
{{ '\n\n    dateadd(\n        ' ~ datepart ~ ',\n        ' ~ interval ~ ',\n        ' ~ from_date_or_timestamp ~ '\n        )\n\n' }}
{%- endmacro %}

{% macro datediff(first_date, second_date, datepart) -%}
{%- do return(adapter.dispatch('datediff', 'dbt')(first_date, second_date, datepart)) -%}
{%- endmacro %}

{% macro default__datediff(first_date, second_date, datepart) -%}
{{ 'datediff(\n        ' ~ datepart ~ ',\n        ' ~ first_date ~ ',\n        ' ~ second_date ~ '\n        )' }}
{%- endmacro %}

{% macro last_day(date, datepart) -%}
{%- do return(adapter.dispatch('last_day', 'dbt')(date, datepart)) -%}
{%- endmacro %}

{% macro default__last_day(date, datepart) -%}
{{ dbt.default_last_day(date, datepart) }}
{%- endmacro %}

{% macro default_last_day(date, datepart) -%}
{%- set after = dbt.dateadd(datepart, '1', dbt.date_trunc(datepart, date)) -%}
{{ 'cast(\n        ' ~ dbt.dateadd('day', '-1', after) ~ '\n        as date)' }}
{%- endmacro %}

{% macro get_powers_of_two(upper_bound) %}
{%- do return(adapter.dispatch('get_powers_of_two', 'dbt')(upper_bound)) -%}
{% endmacro %}

{% macro default__get_powers_of_two(upper_bound) %}
{%- if upper_bound <= 0 -%}{%- do exceptions.raise_compiler_error('upper bound must be positive') -%}{%- endif -%}
{%- for power in range(1, 100) -%}{%- if upper_bound <= 2 ** power -%}{%- do return(power) -%}{%- endif -%}{%- endfor -%}
{% endmacro %}

{% macro generate_series(upper_bound) %}
{%- do return(adapter.dispatch('generate_series', 'dbt')(upper_bound)) -%}
{% endmacro %}

{% macro default__generate_series(upper_bound) -%}
{%- set powers = dbt.get_powers_of_two(upper_bound) -%}
{{ '\n\n    \n\n    with p as (\n        select 0 as generated_number union all select 1\n    ), unioned as (\n\n    select\n\n    ' }}
{%- for power in range(powers) -%}
{{ '\n    p' ~ power ~ '.generated_number * power(2, ' ~ power ~ ')\n    ' ~ ('' if loop.last else ' + ') ~ '\n    ' }}
{%- endfor -%}
{{ '\n    + 1\n    as generated_number\n\n    from\n\n    ' }}
{%- for power in range(powers) -%}
{{ '\n    p as p' ~ power ~ '\n    ' ~ ('' if loop.last else ' cross join ') ~ '\n    ' }}
{%- endfor -%}
{{ '\n\n    )\n\n    select *\n    from unioned\n    where generated_number <= ' ~ upper_bound ~ '\n    order by generated_number\n\n' }}
{%- endmacro %}

{% macro get_intervals_between(start_date, end_date, datepart) -%}
{%- do return(adapter.dispatch('get_intervals_between', 'dbt')(start_date, end_date, datepart)) -%}
{%- endmacro %}

{% macro default__get_intervals_between(start_date, end_date, datepart) -%}
{%- call statement('get_intervals_between', fetch_result=True) -%}
select {{ dbt.datediff(start_date, end_date, datepart) }}
{%- endcall -%}
{%- set answer = load_result('get_intervals_between') -%}
{%- do return(answer['data'][0][0] if answer and answer['data'] else 1) -%}
{%- endmacro %}

{% macro date_spine(datepart, start_date, end_date) %}
{%- do return(adapter.dispatch('date_spine', 'dbt')(datepart, start_date, end_date)) -%}
{% endmacro %}

{% macro default__date_spine(datepart, start_date, end_date) -%}
{{ '\n\n    \n\n    with rawdata as (\n\n        ' ~ dbt.generate_series(dbt.get_intervals_between(start_date, end_date, datepart)) }}
{{- '\n\n    ),\n\n    all_periods as (\n\n        select (\n            ' }}
{{- dbt.dateadd(datepart, 'row_number() over (order by 1) - 1', start_date) ~ '\n        ) as date_' ~ datepart ~ '\n        from rawdata\n\n    ),' }}
{{- '\n\n    filtered as (\n\n        select *\n        from all_periods\n        where date_' ~ datepart ~ ' <= ' ~ end_date ~ '\n\n    )\n\n    select * from filtered\n\n' }}
{%- endmacro %}

{% macro current_timestamp_backcompat() %}
{%- do return(adapter.dispatch('current_timestamp_backcompat', 'dbt')()) -%}
{% endmacro %}

{% macro current_timestamp_in_utc_backcompat() %}
{%- do return(adapter.dispatch('current_timestamp_in_utc_backcompat', 'dbt')()) -%}
{% endmacro %}

{% macro snapshot_get_time() -%}
{{ adapter.dispatch('snapshot_get_time', 'dbt')() }}
{%- endmacro %}

{% macro snapshot_string_as_time(timestamp) -%}
{{ adapter.dispatch('snapshot_string_as_time', 'dbt')(timestamp) }}
{%- endmacro %}
