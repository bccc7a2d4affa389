{{
    config(
        materialized='incremental',
        unique_key='departure_id',
        incremental_strategy='delete+insert'
    )
}}

with departures as (

    select * from {{ ref('int_departures_delayed') }}

    {% if is_incremental() %}
    -- A train can come in days after it left: look back a week.
    where service_date >= (select max(service_date) - 7 from {{ this }})
    {% endif %}

),

final as (

    select
        departure_id,
        line_code,
        service_date,
        scheduled_departure_at,
        scheduled_arrival_at,
        arrived_at,
        is_cancelled,
        incidents,
        worst_incident_kind,
        delay_minutes,
        delay_minutes <= {{ var('on_time_minutes') }} as is_on_time

    from departures

)

select * from final
