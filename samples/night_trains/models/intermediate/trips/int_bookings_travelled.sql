with bookings as (

    select * from {{ ref('stg_booking__bookings') }}

),

departures as (

    select * from {{ ref('stg_rail__departures') }}

),

cabin_types as (

    select * from {{ ref('cabin_types') }}

),

final as (

    select
        bookings.*,
        departures.line_code,
        departures.service_date,
        cabin_types.berths as cabin_berths,
        not bookings.is_cancelled and not departures.is_cancelled as is_travelled

    from bookings
    inner join departures
        on bookings.departure_id = departures.departure_id
    inner join cabin_types
        on bookings.cabin_type = cabin_types.cabin_type

)

select * from final
