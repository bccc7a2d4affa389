{%- set reasons = ['snow', 'signal failure', 'late connection', 'engine change', 'wild boar on the track'] -%}

with incidents as (

    select * from {{ ref('stg_rail__incidents') }}

),

departures as (

    select * from {{ ref('fct_departures') }}

),

final as (

    select
        departures.line_code,
        {%- for reason in reasons %}
        coalesce(sum(incidents.delay_minutes) filter (where incidents.incident_kind = '{{ reason }}'), 0)
            as {{ reason | replace(' ', '_') }}_minutes{{ ',' if not loop.last }}
        {%- endfor %}

    from departures
    left join incidents
        on departures.departure_id = incidents.departure_id
    group by departures.line_code

)

select * from final
